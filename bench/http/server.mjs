// A server over Streamable HTTP that answers as fast as Node can, so that what is measured is what stands before it.
//
//   node server.mjs     prints its address
import { createServer } from 'node:http'
import process from 'node:process'

const big = JSON.stringify('x'.repeat(10_000_000))

const server = createServer((request, response) => {
  if (request.method !== 'POST')
    return response.writeHead(request.method === 'GET' ? 405 : 200).end()
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (chunk) => {
    body += chunk
  })
  return request.on('end', () => answer(JSON.parse(body), response))
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${String(server.address().port)}/mcp\n`)
})

function answer({ id, method, params }, response) {
  if (id === undefined) return response.writeHead(202).end()
  const text = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result(method, params)}}`
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  const session = method === 'initialize' ? { 'mcp-session-id': String(Math.random()) } : {}
  return response.writeHead(200, { ...headers, ...session }).end(text)
}

function result(method, params) {
  if (method === 'initialize') {
    return `{"protocolVersion":"${params.protocolVersion}","capabilities":{"tools":{}},"serverInfo":{"name":"bench","version":"1"}}`
  }
  if (method === 'tools/list') {
    return '{"tools":[{"name":"echo","inputSchema":{"type":"object"}},{"name":"big","inputSchema":{"type":"object"}}]}'
  }
  if (params?.name === 'big') return `{"content":[{"type":"text","text":${big}}]}`
  return '{"content":[{"type":"text","text":"ok"}]}'
}
