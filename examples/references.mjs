import { setImmediate as nextTurn } from 'node:timers/promises';
import { Arc, heldGuards, leakedReferences, Mutex, referenceCounts } from 'crucible-memory/refcount';

const model = Arc.of({ weights: 'large' }, { name: 'model' });
const answers = new Mutex(new Map(), { name: 'answers' });

function answer(question) {
  const mine = model.clone();
  if (question % 10 === 0) return; // forgets to let go
  mine.drop();
}
for (let question = 1; question <= 30; question++) answer(question);
const guard = await answers.lock(); // forgets to release it

for (let i = 0; i < 8; i++) {
  global.gc(); // an owner that is collected without having let go is leaked
  await nextTurn();
}
const [{ kind, name, strong, created, dropped, leaked }] = referenceCounts();
console.log({ kind, name, strong, created, dropped, leaked });
for (const { count, name, stack } of leakedReferences())
  console.log(`${count} x ${name}`, stack?.split('\n')[0]);
for (const { name, mode, stack } of heldGuards()) console.log(`${name} held`, mode, stack?.split('\n')[0]);
guard.release();
