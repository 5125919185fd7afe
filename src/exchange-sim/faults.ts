/** Why a simulated site cannot start, in one sentence that names what its user wrote. Used by command-line.ts and main.ts. */

/** The system's reason without its code and call: 'no such file or directory'. */
function reason(error: Error): string {
  return /E[A-Z]+: ([^,]+?)(?:,| [\d.]+(?::\d+)?$|$)/.exec(error.message)?.[1] ?? error.message;
}

/** `what` is what the user said, such as `--certificate FILE`. */
export function fileFault(what: string, error: unknown): Error {
  return new Error(`${what}: ${error instanceof Error ? reason(error) : String(error)}`);
}

/** What the parser of arguments throws; its own words differ between runtimes and speak to programmers. */
export function argumentFault(error: unknown): Error {
  const { message, code } = error as NodeJS.ErrnoException;
  const word = /'([^' ]*)/.exec(message)?.[1] ?? '';
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return new Error(`there is no option '${word}'; --help lists all`);
  return new Error(message.includes('does not take') ? `${word} takes no value` : `${word} takes a value`);
}

export function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { syscall, address, port } = error as { readonly syscall?: unknown; readonly address?: unknown; readonly port?: unknown };
  if (syscall !== 'listen') return error.message;
  const where = typeof address !== 'string' ? '' : ` on ${address}${typeof port === 'number' && port > 0 ? `:${port}` : ''}`;
  return `cannot listen${where}: ${reason(error)}`;
}
