/**
 * Reads HAProxy's command line (management manual, section 3), so that existing units and scripts work unchanged. Called by
 * main.ts for everything that is not a subcommand. Decides nothing and prints nothing.
 */
export interface CommandLine {
  action: 'run' | 'check' | 'condition' | 'version' | 'version-long';
  /** `-f`, files and folders in order, and what follows `--`. */
  readonly files: string[];
  /** `-cc` */
  condition: string;
  /** `-D` */
  daemon: boolean;
  /** `-W` or `-Ws` */
  masterWorker: boolean;
  /** `-Ws`: tell systemd when ready. */
  notify: boolean;
  /** `-db` or `-d`: stay in the foreground whatever the configuration says. */
  foreground: boolean;
  /** `-q` */
  quiet: boolean;
  /** `-V` or `-d` */
  verbose: boolean;
  /** `-dW`: a warning is an error. */
  strict: boolean;
  /** `-dD` */
  diagnostics: boolean;
  /** `-p`, '' = not given. */
  pidfile: string;
  /** `-n`, 0 = not given. */
  maxconn: number;
  /** `--keepalived`, '' = not given. */
  keepalived: string;
  /** `-L`, '' = not given. */
  localPeer: string;
  /** `-C`, '' = not given. */
  directory: string;
  /** `-x`: runtime socket of the process whose listening sockets are taken over; '' = not given. */
  socketsFrom: string;
  /** `-S`, '' = not given. */
  masterSocket: string;
  /** `-sf` and `-st`: processes to end once this one serves, and how. */
  readonly predecessors: { readonly pids: number[]; signal: 'SIGUSR1' | 'SIGTERM' };
  /** Flags that are accepted and do nothing here, each with the reason. */
  readonly remarks: string[];
}

/** What is wrong with the command line, or what it asks for. */
type CommandLineResult = { readonly line: CommandLine; readonly fault: '' } | { readonly line: null; readonly fault: string };

/** Debugging and tuning switches of HAProxy's event loop and memory, without a counterpart here. */
const inertSwitches: Readonly<Record<string, string>> = {
  dM: 'memory poisoning', dI: 'insecure fork', de: 'epoll', dp: 'poll', dS: 'splice', dG: 'getaddrinfo', dR: 'SO_REUSEPORT', dL: 'listing of libraries',
  dK: 'listing of keywords', dr: 'address resolution', dV: 'TLS verification of servers', dF: 'fast-forward', dZ: 'zero-copy forwarding', dt: 'tracing', dC: 'dump of the configuration', dv: 'evports', dk: 'kqueue',
};

const bareSwitches: Readonly<Record<string, (line: CommandLine) => void>> = {
  v: (line) => { line.action = 'version'; },
  vv: (line) => { line.action = 'version-long'; },
  c: (line) => { line.action = 'check'; },
  D: (line) => { line.daemon = true; },
  W: (line) => { line.masterWorker = true; },
  Ws: (line) => { line.masterWorker = true; line.notify = true; },
  q: (line) => { line.quiet = true; },
  V: (line) => { line.verbose = true; },
  d: (line) => { line.foreground = true; line.verbose = true; },
  db: (line) => { line.foreground = true; },
  dW: (line) => { line.strict = true; },
  dD: (line) => { line.diagnostics = true; },
};

/** Switches with a value. They give '' or what is wrong with it. */
const valueSwitches: Readonly<Record<string, (line: CommandLine, value: string) => string>> = {
  f: (line, value) => { line.files.push(value); return ''; },
  p: (line, value) => { line.pidfile = value; return ''; },
  L: (line, value) => { line.localPeer = value; return ''; },
  C: (line, value) => { line.directory = value; return ''; },
  cc: (line, value) => { line.action = 'condition'; line.condition = value; return ''; },
  n: (line, value) => {
    line.maxconn = Number(value);
    return /^\d+$/.test(value) ? '' : `-n wants a number of connections, not '${value}'`;
  },
  N: (line) => { line.remarks.push('-N sets a default for proxies without maxconn and has no effect here; write maxconn in defaults'); return ''; },
  m: (line) => { line.remarks.push('-m has no effect: memory is bounded by maxconn and by the limits of the service manager'); return ''; },
  x: (line, value) => { line.socketsFrom = value; return ''; },
  S: (line, value) => { line.masterSocket = value; return ''; },
};

function emptyLine(): CommandLine {
  return {
    action: 'run', files: [], condition: '', daemon: false, masterWorker: false, notify: false, foreground: false, quiet: false, verbose: false,
    strict: false, diagnostics: false, pidfile: '', maxconn: 0, keepalived: '', localPeer: '', directory: '', socketsFrom: '', masterSocket: '', predecessors: { pids: [], signal: 'SIGUSR1' }, remarks: [],
  };
}

/** True when the word is one of HAProxy's `-dX` with an optional value behind it (`-dMtag`, `-dKall`). */
function inertSwitch(name: string): string | undefined {
  return inertSwitches[name] ?? inertSwitches[name.slice(0, 2)];
}

export function readCommandLine(words: readonly string[]): CommandLineResult {
  const line = emptyLine();
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === '--') {
      line.files.push(...words.slice(at + 1));
      break;
    }
    if (word === '--keepalived') {
      at += 1;
      if (words[at] === undefined) return { line: null, fault: '--keepalived wants a file' };
      line.keepalived = words[at] ?? '';
      continue;
    }
    const name = word.startsWith('--') ? '' : word.slice(1);
    if (!word.startsWith('-') || name === '') return { line: null, fault: `'${word}' is not known` };
    const bare = bareSwitches[name];
    const valued = valueSwitches[name];
    if (bare !== undefined) bare(line);
    else if (name === 'sf' || name === 'st') at = readPids(line, words, at);
    else if (valued !== undefined) {
      at += 1;
      const value = words[at];
      if (value === undefined) return { line: null, fault: `-${name} wants a value` };
      const fault = valued(line, value);
      if (fault !== '') return { line: null, fault };
    } else {
      const inert = inertSwitch(name);
      if (inert === undefined) return { line: null, fault: `'${word}' is not known` };
      line.remarks.push(`-${name} has no effect here (${inert})`);
    }
  }
  return { line, fault: '' };
}

/** The same command line without what is for the first start only: from whom to take over. */
export function withoutPredecessors(words: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === '--') return [...kept, ...words.slice(at)];
    if (word === '-x') at += 1;
    else if (word === '-sf' || word === '-st') at = readPids(emptyLine(), words, at);
    else {
      kept.push(word);
      const isValued = word === '--keepalived' || (word.startsWith('-') && valueSwitches[word.slice(1)] !== undefined);
      if (isValued && at + 1 < words.length) kept.push(words[at += 1] ?? '');
    }
  }
  return kept;
}

/** `-sf pid…` and `-st pid…`: gives the position of the last pid. */
function readPids(line: CommandLine, words: readonly string[], at: number): number {
  line.predecessors.signal = words[at] === '-sf' ? 'SIGUSR1' : 'SIGTERM';
  let last = at;
  while (/^\d+$/.test(words[last + 1] ?? '')) {
    last += 1;
    line.predecessors.pids.push(Number(words[last]));
  }
  return last;
}
