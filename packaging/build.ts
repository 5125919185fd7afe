/**
 * `npm run build`: makes dist/poise, one executable with the runtime, the program, its threads and its native module inside, so that
 * the machine that runs it needs neither Bun nor Node.js. Run by Bun, on the kind of machine that it builds for.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Loaded { readonly contents: string; readonly loader: 'ts' }
interface PluginBuild {
  onResolve(of: { readonly filter: RegExp }, resolve: () => { readonly path: string }): void;
  onLoad(of: { readonly filter: RegExp }, load: (file: { readonly path: string }) => Loaded): void;
}
/** As much of Bun's API as is used here. */
interface Bundler {
  readonly version: string;
  build(options: Readonly<Record<string, unknown>>): Promise<{ readonly success: boolean; readonly logs: readonly unknown[] }>;
}

const home = fileURLToPath(new URL('..', import.meta.url));
const outfile = `${home}dist/poise`;
const nativeModule = `${home}node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`;
/** What a module loader does at run time in a checkout, the bundler has to see while it builds. */
const requireAtRunTime = 'createRequire(import.meta.url)(';

const embed = {
  name: 'poise',
  setup(build: PluginBuild): void {
    // koffi's own loader looks through folders that the target does not have.
    build.onResolve({ filter: /^koffi$/ }, () => ({ path: nativeModule }));
    build.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({ contents: readFileSync(path, 'utf8').replaceAll(requireAtRunTime, 'require('), loader: 'ts' }));
  },
};

async function main(): Promise<number> {
  const bun = (globalThis as unknown as { readonly Bun?: Bundler }).Bun;
  if (bun === undefined) {
    console.error('packaging/build.ts is run by Bun: npm run build');
    return 1;
  }
  if (!existsSync(nativeModule)) {
    console.error(`there is no native module for ${process.arch}: ${nativeModule}`);
    return 1;
  }
  // The executable's name goes into it.
  const fresh = `${home}dist/.new/poise`;
  mkdirSync(`${home}dist/.new`, { recursive: true });
  const result = await bun.build({
    // The first is the program; threads and files keep their place in the project (src/base/program.ts looks for them there).
    entrypoints: ['src/cli/main.ts', 'src/traffic/thread.ts', 'examples/exchange-l7.cfg'].map((file) => home + file),
    root: home,
    target: 'bun',
    loader: { '.cfg': 'file' },
    naming: { asset: '[dir]/[name].[ext]' },
    plugins: [embed],
    // A load balancer takes nothing from the folder that it happens to be started in.
    compile: { outfile: fresh, autoloadDotenv: false, autoloadBunfig: false, autoloadTsconfig: false, autoloadPackageJson: false },
  });
  if (!result.success) {
    for (const log of result.logs) console.error(String(log));
    return 1;
  }
  // In one step, so that a process that runs the file of before is not disturbed.
  renameSync(fresh, outfile);
  rmdirSync(`${home}dist/.new`);
  console.log(`${outfile}: ${Math.round(statSync(outfile).size / 1_048_576)} MB, Bun ${bun.version}, ${process.platform} ${process.arch}`);
  return 0;
}

process.exit(await main());
