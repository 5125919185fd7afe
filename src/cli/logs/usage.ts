/** What `poise logs --help` prints. Called by logs.ts. */
export const logsUsage = `Usage: poise logs [options] [FILE...]

Filters and counts log lines of Poise and HAProxy (httplog, httpslog, tcplog, log-why), with or without syslog's or journald's words before
them. Files may be gzipped; without files, and for '-', it reads standard input. Dates are local time.

Which lines (all that are given have to fit; lists are separated by commas):
  --backend NAME,…      --frontend NAME,…      --server NAME,… or BACKEND/NAME,…
  --status LIST         503, 5xx, 400-499; --status=-1 where no answer was made
  --cause LIST          termination letters from the first one on (C, CD, cD, SC), or one of the words
                        failed, client, server, proxy, timeout, retried, redispatched
  --path PREFIX,…       path without its query           --client ADDRESS,…   address, or its beginning followed by *
  --slower-than TIME    total time above so many ms (or 2s, 1m)
  --since, --until WHEN 2026-11-21, '2026-11-21 08:15', 08:15 (today), or a time back from now: 15m, 2h, 1d
  --catch-all           requests that the default_backend of their frontend got; -f FILE names the configuration (may be repeated)

What comes out (the lines themselves without any of these):
  --count               how many lines there are
  --count-by COLUMN,…   a table: backend, frontend, server, status, class, cause, why, method, path, client, hour, minute
  --percentiles LIST    of the times of requests that have all of them: 50,90,99; 'halog' for halog's list
  --top N               rows of the table (default: all)
  --json                the same as JSON

  -F, --follow          goes on as the file grows and is rotated, like tail -F: lines from now on, or from --since on.
                        Tables are printed when it is interrupted
Lines that cannot be read are counted and left out; a summary goes to standard error. Exit code 1: a file could not be read.
`;
