// A gate without any rules: node gate.mjs <dist> <JSON of launches>. Lines of the client go to every server, lines of
// the servers to the client, with back-pressure both ways. It stops at the end of its input, SIGTERM and SIGINT.
// What it has to say it says on standard error, one JSON object per line; the first is {"servers": [pids]}.

const [dist = '', json = '[]'] = process.argv.slice(2)
const stdio = /** @type {typeof import('../../src/transport/stdio.ts')} */ (
  await import(`${dist}/transport/stdio.js`)
)
const processTree = /** @type {typeof import('../../src/transport/tree.ts')} */ (
  await import(`${dist}/transport/tree.js`)
)
const launches =
  /** @type {{ command: string, args: string[], env?: Record<string, string> }[]} */ (
    JSON.parse(json)
  )
const env = /** @type {Record<string, string>} */ (process.env)

const tree = new processTree.ProcessTree()
/** @type {Promise<void> | undefined} */
let stopping
const front = stdio.openStdio({
  events: {
    onMessage(message) {
      for (const server of servers) {
        if (!server.closed && !server.send(message)) front.pause()
      }
    },
    onOversize: (bytes) => say({ oversize: bytes }),
    onDrain: () => servers.forEach((server) => server.resume()),
    onClose: stop,
  },
})
const servers = launches.map((launch) =>
  tree.start(
    { ...launch, env: { ...env, ...launch.env } },
    {},
    {
      onMessage(message) {
        if (!front.send(message)) servers.forEach((server) => server.pause())
      },
      onOversize: (bytes) => say({ oversize: bytes }),
      onDrain: () => front.resume(),
      onClose: ({ code, signal, error }) =>
        say({ closed: { code, signal, error: error?.message } }),
    },
  ),
)
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, stop)
say({ servers: servers.map((server) => server.pid) })

function stop() {
  stopping ??= tree.stopAll().then(async () => {
    await front.flush()
    process.exit(0)
  })
}

/** @param {unknown} what */
function say(what) {
  process.stderr.write(`${JSON.stringify(what)}\n`)
}
