/** A shop that opens a session for whoever brings none, and never closes one. */
import { randomUUID } from 'node:crypto';
import express from 'express';

const sessions = new Map();

function openSession() {
  const session = { id: randomUUID(), since: new Date(), cart: new Array(500).fill(null) };
  sessions.set(session.id, session);
  return session;
}

const app = express();

app.get('/', (request, response) => {
  const session = sessions.get(request.get('x-session')) ?? openSession();
  response.json({ session: session.id, items: session.cart.filter(Boolean) });
});

const server = app.listen(process.env.PORT ?? 3000, () => {
  console.log(`http://localhost:${server.address().port}`);
});

process.on('SIGTERM', () => process.exit());
