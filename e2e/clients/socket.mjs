// Talks graphql-transport-ws by hand, badly, and prints what becomes of each talk: the messages, and how the socket was
// closed. The token comes from the environment.
import { talk } from './talk.mjs';

const [url, orderId] = process.argv.slice(2);
const init = { type: 'connection_init', payload: { Authorization: `Bearer ${process.env.LEDGER_TOKEN}` } };
const subscribe = (id, query) => ({ type: 'subscribe', id, payload: { query } });
const watch = `subscription { orderChanged(id: "${orderId}") { version } }`;

const talks = {
  otherProtocol: await talk(url, [], { protocol: 'graphql-ws' }),
  garbage: await talk(url, ['{']),
  binary: await talk(url, [Buffer.from('x')].map(() => '"x"')),
  noInit: await talk(url, [subscribe('1', watch)]),
  badToken: await talk(url, [{ type: 'connection_init', payload: { authorization: 'Bearer x' } }]),
  noToken: await talk(url, [{ type: 'connection_init' }]),
  twoInits: await talk(url, [init, init]),
  sameId: await talk(url, [init, subscribe('1', watch), subscribe('1', watch)]),
  ping: await talk(url, [{ type: 'ping', payload: { n: 1 } }]),
  query: await talk(url, [init, subscribe('q', '{ __typename }')]),
  invalid: await talk(url, [init, subscribe('i', '{ nothing }')]),
  twoRoots: await talk(url, [init, subscribe('r', `subscription { a: storeBoard { isWhole } b: storeBoard { isWhole } }`)]),
  unknown: await talk(url, [init, subscribe('u', 'subscription { orderChanged(id: "0196f000-0000-7000-8000-000000000000") { version } }')]),
  completed: await talk(url, [init, subscribe('c', watch), { type: 'complete', id: 'c' }, subscribe('c', watch)]),
};
console.log(JSON.stringify(talks));
process.exit(0);
