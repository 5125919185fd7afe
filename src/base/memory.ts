/** What the process uses of memory. For reports; the runtimes' own figures fail without /proc (base/kept-files.ts). */
import { getHeapStatistics } from 'node:v8';
import { readKept } from './kept-files.ts';

/** Pages of x86-64 and of arm64 as Debian builds it. */
const pageBytes = 4096;
export const memoryFile = '/proc/self/statm';

export function memoryUsage(): NodeJS.MemoryUsage {
  try {
    return process.memoryUsage();
  } catch {
    const { total_heap_size: heapTotal, used_heap_size: heapUsed, external_memory: external } = getHeapStatistics();
    return { rss: residentBytes(), heapTotal, heapUsed, external: external ?? 0, arrayBuffers: 0 };
  }
}

function residentBytes(): number {
  try {
    return Number(readKept(memoryFile).split(' ')[1] ?? 0) * pageBytes;
  } catch {
    return 0;
  }
}
