// Watches an order and a board over both transports, with the clients that people use, while the order moves on.
// Prints what each of them heard, as JSON. The token comes from the environment.
import { createClient as createSocketClient } from 'graphql-ws';
import { createClient as createEventsClient } from 'graphql-sse';
import WebSocket from 'ws';

const [url, orderId] = process.argv.slice(2);
const authorization = `Bearer ${process.env.LEDGER_TOKEN}`;
const ORDER = `subscription ($id: ID!) { orderChanged(id: $id) { version status } }`;
const BOARD = `subscription { storeBoard { isWhole position counts { storeId status count } } }`;
const CANCELLED = `subscription { storeBoard(storeIds: ["CFR001"], statuses: [CANCELLED]) { isWhole counts { status count } } }`;

const socket = createSocketClient({
  url: url.replace('http', 'ws'),
  webSocketImpl: WebSocket,
  connectionParams: { authorization },
  retryAttempts: 0,
});
const events = createEventsClient({ url, headers: { authorization }, retryAttempts: 0 });

// Each watcher ends when `enough` says so.
async function watch(client, query, variables, enough) {
  const heard = [];
  for await (const answer of client.iterate({ query, variables })) {
    if (answer.errors) throw new Error(JSON.stringify(answer.errors));
    heard.push(answer.data);
    if (heard.length === 1) console.error('watching');
    if (enough(answer.data)) break;
  }
  return heard;
}

const cancelled = (data) => data.orderChanged.status === 'CANCELLED';
const placedGone = (data) => !data.storeBoard.isWhole && data.storeBoard.counts.some((c) => c.status === 'CANCELLED');
const results = await Promise.all([
  watch(socket, ORDER, { id: orderId }, cancelled),
  watch(events, ORDER, { id: orderId }, cancelled),
  watch(socket, BOARD, {}, placedGone),
  watch(events, BOARD, {}, placedGone),
  watch(socket, CANCELLED, {}, placedGone),
]);
await socket.dispose();
events.dispose();
console.log(JSON.stringify(results));
