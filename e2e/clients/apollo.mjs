// Asks the same through Apollo's client with its link for persisted queries: by POST twice, then by GET. Prints what was
// sent and what came back.
import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client/core/index.js';
import { createPersistedQueryLink } from '@apollo/client/link/persisted-queries/index.js';

const [url] = process.argv.slice(2);
const query = gql`query Board { storeBoard { count } }`;
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

async function ask(useGETForHashedQueries) {
  const sent = [];
  const http = new HttpLink({
    uri: url,
    headers: { authorization: `Bearer ${process.env.LEDGER_TOKEN}` },
    fetch: (uri, options) => {
      sent.push({ method: options.method, text: `${uri} ${options.body ?? ''}`.includes('storeBoard') });
      return fetch(uri, options);
    },
  });
  const link = ApolloLink.from([createPersistedQueryLink({ sha256, useGETForHashedQueries }), http]);
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  const { data } = await client.query({ query });
  return { sent, data };
}

console.log(JSON.stringify([await ask(false), await ask(false), await ask(true)]));
process.exit(0);
