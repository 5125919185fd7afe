/** Takes out of a log line what differs from run to run, and keeps everything else. */

/**
 * `<pri>tag: message` with dates, process numbers, ephemeral ports and durations replaced. -1 timers stay. Bytes of HTTP answers
 * are counted differently on purpose (docs/differences.md, bytes-on-the-wire): only whether there were any stays.
 * Connections of the process and the frontend depend on how fast earlier clients went; situations that count them look at the
 * lines themselves.
 */
export function readLog(line: string): string {
  const withoutHead = line.replace(/^(<\d+>)[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ([^\s[]+)\[\d+\]: /, '$1$2: ');
  const withoutDates = withoutHead
    .replace(/\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d(\.\d{3})?( [+-]\d{4})?\]/g, (_, ms?: string, zone?: string) => `[DATE${ms === undefined ? '' : '.MS'}${zone ?? ''}]`)
    .replace(/:(3[2-9]|[45]\d|6[0-6])\d{3}(?=\D|$)/g, ':PORT');
  return withoutDates
    .replace(/(?<= )-?\d+(?:\/[+-]?\d+){2,4}(?= )/, (timers) => timers.replace(/(?<![-\d])\d+/g, 'n'))
    .replace(/(?<= )(\d{3,}|-1) (\+?)[1-9]\d*(?= [^"\s]+ [^"\s]+ \S{4} \d)/, '$1 $2BYTES')
    .replace(/(?<=" \d{3} )[1-9]\d*(?= "")/, 'BYTES')
    .replace(/(?<= \S\S(?:\S\S)? )\d+\/\d+(?=\/\d+\/\d+\/[+\d]+ \d+\/\d+)/, 'c/c')
    .replace(/check duration: \d+ms/g, 'check duration: nms');
}
