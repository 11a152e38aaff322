// Talks graphql-transport-ws by hand, badly, and prints what becomes of each talk: the messages, and how the socket was
// closed. The token comes from the environment.
import WebSocket from 'ws';

const [url, orderId] = process.argv.slice(2);
const init = { type: 'connection_init', payload: { Authorization: `Bearer ${process.env.LEDGER_TOKEN}` } };
const subscribe = (id, query) => ({ type: 'subscribe', id, payload: { query } });
const watch = `subscription { orderChanged(id: "${orderId}") { version } }`;

function talk(messages, { protocol = 'graphql-transport-ws', wait = 700 } = {}) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url.replace('http', 'ws'), protocol ? [protocol] : []);
    const said = [];
    const over = (closed) => resolve({ said, closed });
    socket.on('unexpected-response', (_, response) => over(response.statusCode));
    socket.on('error', () => {});
    socket.on('message', (text) => said.push(JSON.parse(text)));
    socket.on('close', (code) => over(code));
    socket.on('open', async () => {
      for (const message of messages) {
        socket.send(typeof message === 'string' ? message : JSON.stringify(message));
        await new Promise((go) => setTimeout(go, 50));
      }
      setTimeout(() => socket.close(1000), wait);
    });
  });
}

const talks = {
  otherProtocol: await talk([], { protocol: 'graphql-ws' }),
  garbage: await talk(['{']),
  binary: await talk([Buffer.from('x')].map(() => '"x"')),
  noInit: await talk([subscribe('1', watch)]),
  badToken: await talk([{ type: 'connection_init', payload: { authorization: 'Bearer x' } }]),
  noToken: await talk([{ type: 'connection_init' }]),
  twoInits: await talk([init, init]),
  sameId: await talk([init, subscribe('1', watch), subscribe('1', watch)]),
  ping: await talk([{ type: 'ping', payload: { n: 1 } }]),
  query: await talk([init, subscribe('q', '{ __typename }')]),
  invalid: await talk([init, subscribe('i', '{ nothing }')]),
  twoRoots: await talk([init, subscribe('r', `subscription { a: storeBoardChanged { isWhole } b: storeBoardChanged { isWhole } }`)]),
  unknown: await talk([init, subscribe('u', 'subscription { orderChanged(id: "0196f000-0000-7000-8000-000000000000") { version } }')]),
  completed: await talk([init, subscribe('c', watch), { type: 'complete', id: 'c' }, subscribe('c', watch)]),
};
console.log(JSON.stringify(talks));
process.exit(0);
