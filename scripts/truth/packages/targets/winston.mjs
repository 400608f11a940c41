/** A job runner that gives each job a logger, and closes it when the job is done. */
import { Writable } from 'node:stream';
import winston from 'winston';

const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
sink.setMaxListeners(0);
process.setMaxListeners(0);

export function operation(i) {
  const logger = winston.createLogger({
    level: 'info',
    defaultMeta: { job: i },
    transports: [new winston.transports.Stream({ stream: sink, handleExceptions: true })],
  });
  logger.info('done');
  logger.close();
}
