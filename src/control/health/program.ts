/**
 * Chooses and builds the program of a server's checks from its backend's check method. Called by checker.ts, once per server.
 */
import type { Proxy } from '../../model/model.ts';
import type { CheckWords } from './check-words.ts';
import type { Program } from './check-step.ts';
import { httpProgram } from './http-program.ts';
import { ldapProgram, mysqlProgram, pgsqlProgram, redisProgram, smtpProgram, spopProgram, tlsHelloProgram } from './protocol-programs.ts';
import { connectProgram, tcpProgram } from './tcp-program.ts';

interface ProgramOptions {
  readonly words: CheckWords;
  readonly nowSeconds: () => number;
  readonly stateHeader: () => string;
  /** The server is not down. */
  readonly running: () => boolean;
}

export function checkProgram(proxy: Proxy, options: ProgramOptions): Program {
  const { check } = proxy;
  const { words } = options;
  switch (check.kind) {
    case 'http': return httpProgram(check.steps, words, {
      stateHeader: proxy.checkSendState ? options.stateHeader : null,
      leavesOn404: () => proxy.checkDisableOn404 && options.running(),
    });
    case 'tcp-check': return tcpProgram(check.steps, words);
    case 'ssl-hello': return tlsHelloProgram(options.nowSeconds);
    case 'smtp': return smtpProgram(check.hello);
    case 'mysql': return mysqlProgram(check.user, check.post41);
    case 'pgsql': return pgsqlProgram(check.user);
    case 'redis': return redisProgram();
    case 'ldap': return ldapProgram();
    case 'spop': return spopProgram();
    default: return connectProgram;
  }
}
