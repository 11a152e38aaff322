// Sends the same query over one socket as often as it is told to and prints what came back.
import { talk } from './talk.mjs';

const [url, times] = process.argv.slice(2);
const init = { type: 'connection_init', payload: { Authorization: `Bearer ${process.env.LEDGER_TOKEN}` } };
const query = (n) => ({ type: 'subscribe', id: `${n}`, payload: { query: '{ storeBoard { count } }' } });
const queries = Array.from({ length: Number(times) }, (_, n) => query(n));
console.log(JSON.stringify(await talk(url, [init, ...queries])));
process.exit(0);
