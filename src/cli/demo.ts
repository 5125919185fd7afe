/** `poise demo`. */
export async function demo(words: readonly string[]): Promise<number> {
  return words.length;
}
