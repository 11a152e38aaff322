// PostGraphile on a ledger's own tables: `node server.mjs DATABASE_URL PORT PROCESSES`.
import cluster from "node:cluster";
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { PostGraphileConnectionFilterPreset } from "postgraphile-plugin-connection-filter";

const [connectionString, port, processes] = process.argv.slice(2);

if (cluster.isPrimary) {
  for (let n = 0; n < Number(processes); n += 1) cluster.fork();
  cluster.on("exit", (worker, code) => process.exit(code || 1));
} else {
  const serving = postgraphile({
    extends: [PostGraphileAmberPreset, PostGraphileConnectionFilterPreset],
    // As many connections as the ledger takes.
    pgServices: [makePgService({ connectionString, schemas: ["public"], poolConfig: { max: 32 } })],
    grafserv: { graphqlPath: "/graphql", graphiql: false },
  });
  const server = createServer();
  await serving.createServ(grafserv).addTo(server);
  server.listen(Number(port), "127.0.0.1");
}
