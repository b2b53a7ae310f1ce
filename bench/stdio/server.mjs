// A server that answers as fast as Node can, so that what is measured is what stands before it.
import process from 'node:process'

const big = JSON.stringify('x'.repeat(10_000_000))
let rest = ''
process.stdin.setEncoding('utf8')
process.stdin.on('data', (chunk) => {
  const lines = (rest + chunk).split('\n')
  rest = lines.pop() ?? ''
  let answer = ''
  for (const line of lines) answer += reply(JSON.parse(line))
  if (answer !== '') process.stdout.write(answer)
})
process.stdin.on('end', () => process.exit(0))

function reply({ id, method, params }) {
  if (id === undefined) return ''
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result(method, params)}}\n`
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
