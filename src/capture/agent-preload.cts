/**
 * Loaded into a program by `--require` in NODE_OPTIONS, before anything of the program's own. It is
 * CommonJS and required, not imported: with `--import` Node would load the program's main file
 * through the ES module loader even where it is CommonJS, and a file that only a `require` hook can
 * read would then fail.
 *
 * Nothing here may be noticed by the program: no output, no warning, no error.
 */
(() => {
  const leaveNote = (error: unknown): void => {
    try {
      const { folder } = JSON.parse(process.env.CRUCIBLE_AGENT ?? '{}') as { folder?: string };
      const { appendFileSync } = require('node:fs') as typeof import('node:fs');
      if (folder !== undefined)
        appendFileSync(`${folder}/${process.pid}.note`, `the agent cannot be loaded: ${error}\n`, {
          mode: 0o600,
        });
    } catch {
      // Then the folder stays empty, and the command that waits for a recording says so.
    }
  };
  const { emitWarning } = process;
  // The first require() of an ES module warns on some releases of Node 20 and 22.
  process.emitWarning = () => {};
  try {
    require('./agent.js').startAgent();
  } catch {
    // --no-experimental-require-module: a little later then, while the program starts.
    import('./agent.js').then(({ startAgent }) => startAgent()).catch(leaveNote);
  } finally {
    process.emitWarning = emitWarning;
  }
})();
