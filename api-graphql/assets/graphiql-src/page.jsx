// The page behind /graphiql. Built into ../graphiql.js and ../graphiql.css; see package.json.
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";
import "graphiql/graphiql.css";
import "./page.css";

const TOKEN_KEY = "ledger:token";

// `/graphiql#token=...` signs in: the fragment never leaves the browser, and it is removed from the address.
function token() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(TOKEN_KEY, given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem(TOKEN_KEY) ?? "";
}

// A token typed into the header editor is kept for the tab, so that a reload does not lose it.
function keep(headers) {
  try {
    const value = JSON.parse(headers)?.Authorization ?? "";
    const found = /^Bearer (\S+)$/.exec(value);
    if (found) sessionStorage.setItem(TOKEN_KEY, found[1]);
  } catch {
    // Half-typed JSON.
  }
}

async function fetcher(params, options = {}) {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/graphql-response+json, application/json;q=0.9",
      ...options.headers,
    },
    body: JSON.stringify(params),
  });
  return response.json();
}

const defaultQuery = `# Order Ledger. Sign in: put a token into Headers below (\`ledger token --role admin\`),
# or open /graphiql#token=<token>. Run: Ctrl-Enter. Fields: Ctrl-Space. Docs: the book on the left.

# The newest orders, with what may be done to each.
query Newest {
  orders(first: 5) {
    edges {
      node {
        id
        number
        status
        statusCode
        version
        store { id region }
        totals { orderTotal cashDue }
        allowedCommands
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}

# How many orders stand where.
query Board {
  storeBoard { storeId status count }
  projections { name position lagEvents lagMs }
}

# Place an order. Sending the same commandId again answers the same receipt; a new order needs a new one.
mutation Place {
  placeOrder(input: {
    commandId: "${crypto.randomUUID?.() ?? "00000000-0000-4000-8000-000000000001"}"
    channel: "WEB"
    storeId: "CFR001"
    isForceAllocation: true
    lines: [
      { lineNumber: 1, sku: "8850999220017", nameEn: "Green tea", quantity: "2", unitPrice: "28.50" }
      { lineNumber: 2, sku: "8850123110015", nameEn: "Rice box", quantity: "1", unitPrice: "62.00" }
    ]
  }) {
    order { id number status version totals { orderTotal cashDue informationalTaxes } }
    receipt { position replayed }
    problems { code message path }
  }
}

# One step of its way. amount is the order's totals.cashDue; see also allocateOrder, releaseOrder,
# recordPicking, recordShipment, recordDelivery and cancelOrder.
mutation Pay($orderId: ID!, $commandId: UUID!, $amount: Decimal!) {
  payOrder(input: { orderId: $orderId, commandId: $commandId, amount: $amount }) {
    order { status paymentStatus version allowedCommands }
    problems { code message path retryable }
  }
}

# What happened to it.
query History($orderId: ID!) {
  order(id: $orderId) {
    status
    history { nodes { orderVersion type statusFrom statusTo actor { id role } recordedAt } }
  }
}
`;

const headers = JSON.stringify({ Authorization: `Bearer ${token()}` }, null, 2);

createRoot(document.getElementById("graphiql")).render(
  <GraphiQL
    fetcher={fetcher}
    defaultQuery={defaultQuery}
    headers={headers}
    onEditHeaders={keep}
    defaultEditorToolsVisibility="headers"
    shouldPersistHeaders={false}
  >
    <GraphiQL.Logo>
      <span>Order Ledger</span>
    </GraphiQL.Logo>
  </GraphiQL>,
);
