// Starts the program where Node can run it, and says what is missing where it cannot. Plain JavaScript of 2018, so that
// a Node that is far too old still gets as far as the sentence.

function isNewEnough() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 19);
}

function fail(sentence) {
  process.stderr.write(sentence + '\n');
  process.exitCode = 2;
}

/** What keeps the program from starting is said in one line where `npm ci` mends it. */
function explain(error) {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') return error.stack;
  return 'scrapeguard needs its packages: run "npm ci" first. (' + error.message + ')';
}

if (isNewEnough()) {
  import('./main.ts').catch((error) => fail(explain(error)));
} else {
  fail(
    'scrapeguard needs Node.js 22.19 or newer, and this is ' +
      process.version +
      ': "npm ci" brings one; start with "npm start" or "npm run scrapeguard -- COMMAND".',
  );
}
