/** A server that makes a logger for each connection, as socket libraries do. */
import createDebug from 'debug';

export function operation(i) {
  const log = createDebug(`server:connection:${i % 8}`);
  log('opened');
}
