/**
 * Reads the balancer's statistics as any operator's script does: the CSV of the statistics page. Used by the demo.
 */
export interface StatisticsRow {
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
