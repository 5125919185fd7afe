/** `describe` of tests that need network namespaces: where those cannot be made, a line says plainly that they were left out, and why. */
import { describe } from 'node:test';
import { whyNoNamespaces } from './stage.ts';

export function describeInNamespaces(name: string, options: { readonly concurrency?: number }, body: () => void): void {
  const why = whyNoNamespaces();
  if (why === '') describe(name, { ...options }, body);
  else console.log(`# tests in network namespaces were left out (${name}): ${why}`);
}
