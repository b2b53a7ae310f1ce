// What the admission of one message costs, beside `JSON.parse` of the same bytes: node bench/json.mjs, after a build.
import { performance } from 'node:perf_hooks'
const { inspectClientMessage } = await import('../dist/mcp/inspect-client.js')
const { inspectServerMessage } = await import('../dist/mcp/inspect-server.js')

const call = (args) =>
  Buffer.from(
    `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"write_file","arguments":${JSON.stringify(args)}}}`,
  )
const result = (text) =>
  Buffer.from(
    `{"result":{"content":[{"type":"text","text":${JSON.stringify(text)}}]},"jsonrpc":"2.0","id":7}`,
  )
const line = 'a line of some source code, as tools like to return it\n'
const many = (text, bytes) => text.repeat(Math.ceil(bytes / text.length))
const rows = Array.from({ length: 9000 }, (_, id) => ({
  id,
  name: `row ${id}`,
  price: id / 4,
  tags: ['a', 'b'],
}))

const clientCases = {
  'call, 150 bytes': call({ path: 'notes/today.txt', content: 'buy milk' }),
  'call, 1 MB of plain text': call({ content: many('x', 1e6) }),
  'call, 1 MB of lines': call({ content: many(line, 1e6) }),
  'call, 1 MB outside ASCII': call({ content: many('длинный текст, ', 5e5) }),
  'call, 1 MB of escapes': call({ content: many('\n', 5e5) }),
  'call, 0.6 MB of rows': call({ rows }),
}
const serverCases = {
  'result, 150 bytes': result('a short answer to what was asked, as most answers are'),
  'result, 10 MB of plain text': result(many('x', 1e7)),
  'result, 10 MB of lines': result(many(line, 1e7)),
  'result, 10 MB outside ASCII': result(many('длинный текст, ', 5e6)),
  'result, 10 MB of escapes': result(many('\n', 5e6)),
  'result, 10 MB of rows': Buffer.from(
    `{"result":{"structuredContent":${JSON.stringify(Array.from({ length: 16 }, () => rows))}},"jsonrpc":"2.0","id":7}`,
  ),
}

/** The median time of one run, in microseconds, after a warm-up. */
function microseconds(run, bytes) {
  const runs = bytes.length < 1000 ? 2000 : 1
  const rounds = bytes.length < 1000 ? 200 : 21
  const times = []
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    for (let k = 0; k < runs; k++) run(bytes)
    times.push(((performance.now() - start) * 1000) / runs)
  }
  return times.toSorted((a, b) => a - b)[rounds >> 1]
}

function report(cases, inspect) {
  for (const [name, bytes] of Object.entries(cases)) {
    const own = microseconds(inspect, bytes)
    const parse = microseconds((text) => JSON.parse(text.toString()), bytes)
    const perByte = (own * 1000) / bytes.length
    process.stdout.write(
      `${name.padEnd(32)}${own.toFixed(1).padStart(12)} us${perByte.toFixed(2).padStart(8)} ns/byte` +
        `   JSON.parse ${parse.toFixed(1).padStart(10)} us\n`,
    )
  }
}

report(clientCases, inspectClientMessage)
report(serverCases, inspectServerMessage)
