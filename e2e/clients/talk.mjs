// One talk over a WebSocket: the messages are sent one by one; what was said, and how the socket was closed.
import WebSocket from 'ws';

export function talk(url, messages, { protocol = 'graphql-transport-ws', wait = 700 } = {}) {
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
