/**
 * Reads the balancer's statistics as any operator's script does: the CSV of the statistics page. Used by the demo.
 */
interface StatisticsRow {
  readonly proxy: string;
  readonly server: string;
  readonly status: string;
  readonly sessions: number;
  readonly checkStatus: string;
}

export class Statistics {
  private readonly rows: readonly StatisticsRow[];

  constructor(csv: string) {
    const [head = '', ...lines] = csv.trim().split('\n');
    const names = head.replace(/^# /, '').split(',');
    const column = (name: string): number => names.indexOf(name);
    const [proxy, server, status, sessions, check] = [column('pxname'), column('svname'), column('status'), column('stot'), column('check_status')] as const;
    this.rows = lines.map((line) => {
      const cells = line.split(',');
      return { proxy: cells[proxy] ?? '', server: cells[server] ?? '', status: cells[status] ?? '', sessions: Number(cells[sessions] ?? 0), checkStatus: cells[check] ?? '' };
    });
  }

  row(proxy: string, server: string): StatisticsRow {
    return this.rows.find((row) => row.proxy === proxy && row.server === server) ?? { proxy, server, status: '', sessions: 0, checkStatus: '' };
  }

  /** Requests that reached a backend. */
  backend(name: string): number {
    return this.row(name, 'BACKEND').sessions;
  }

  servers(): readonly StatisticsRow[] {
    return this.rows.filter((row) => row.server !== 'FRONTEND' && row.server !== 'BACKEND' && row.checkStatus !== '');
  }
}

export const statisticsPage = { url: 'http://127.0.0.10:8404/haproxy', user: 'admin', password: 'lab' } as const;

/** Rejects when the page cannot be read. */
export async function readStatistics(): Promise<Statistics> {
  const authorization = `Basic ${Buffer.from(`${statisticsPage.user}:${statisticsPage.password}`).toString('base64')}`;
  const response = await fetch(`${statisticsPage.url};csv;norefresh`, { headers: { authorization }, signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Error(`the statistics page answered ${response.status}`);
  return new Statistics(await response.text());
}

/** How long anything that the demo waits for may take. */
export const waitMs = 20_000;
const pauseMs = 200;

export function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, pauseMs);
  });
}

/** False when the statistics did not show it in time. */
export async function until(shown: (statistics: Statistics) => boolean): Promise<boolean> {
  const endMs = Date.now() + waitMs;
  while (Date.now() < endMs) {
    if (shown(await readStatistics())) return true;
    await pause();
  }
  return false;
}

/** So many servers over all backends, and the first check of each has succeeded. */
export function allChecked(count: number): (statistics: Statistics) => boolean {
  return (statistics) => {
    const servers = statistics.servers();
    return servers.length === count && servers.every((row) => row.status === 'UP' && /^L[467]OK$/.test(row.checkStatus));
  };
}
