/** Lets memory run out: node running-out.js heap|buffers. */
const kept: object[] = [];
if (process.argv[2] === 'heap')
  for (;;) for (let i = 0; i < 1000; i++) kept.push({ i, text: `object ${kept.length}` });
for (;;) {
  kept.push(Buffer.alloc(8 * 1024 * 1024, 1));
  for (const untilMs = performance.now() + 10; performance.now() < untilMs; );
}
