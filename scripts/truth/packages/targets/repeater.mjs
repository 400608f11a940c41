/** A feed that merges two subscriptions, read until the client hangs up, which it does not. */
import { Repeater } from '@repeaterjs/repeater';

const messages = new Repeater(async (push, stop) => {
  let stopped = false;
  stop.then(() => {
    stopped = true;
  });
  for (let id = 0; !stopped; id++) await push({ id });
});
const announcements = new Repeater(async (_push, stop) => {
  await stop;
});
const feed = Repeater.merge([messages, announcements]);

export async function operation() {
  const { done } = await feed.next();
  return done ? { error: 'the feed ended' } : undefined;
}

export async function teardown() {
  await feed.return();
}
