// What framing costs: time against the size of a line and of the chunks it comes in, and against the ways not taken.
// Ratios are to be compared within one run; the machine decides the rest.
//   node bench/framing.mjs
import { spawn } from 'node:child_process'

const dist = new URL('../dist/transport/', import.meta.url).href
const { LineSplitter } = await import(`${dist}lines.js`)
const { ProcessTree } = await import(`${dist}tree.js`)
const { startChild } = await import(`${dist}child.js`)

const MB = 1_000_000
const guardedTree = new ProcessTree()

section('one line of growing size, in chunks of 64 KiB: milliseconds per MB stay the same')
for (const megabytes of [1, 4, 16, 32, 64]) {
  const ours = medianMs(5, () => split(megabytes * MB, 65_536))
  const quadratic =
    megabytes > 16 ? undefined : medianMs(1, () => concatenate(megabytes * MB, 65_536))
  row(`${megabytes} MB`, {
    'LineSplitter ms': ours,
    'per MB': ours / megabytes,
    'concat per chunk ms': quadratic,
  })
}

section('one line of 32 MB in chunks of every size')
for (const chunkBytes of [1, 16, 256, 4096, 16_384, 65_536, 1_048_576]) {
  const ms = medianMs(3, () => split(32 * MB, chunkBytes))
  row(`${chunkBytes} B`, { ms, 'ns per chunk': (ms * 1e6) / ((32 * MB) / chunkBytes) })
}

section('many lines of one size in chunks of 64 KiB, 32 MB in all')
for (const lineBytes of [50, 150, 1000, 10_000, 60_000]) {
  const ms = medianMs(5, () => splitMany(32 * MB, lineBytes))
  row(`${lineBytes} B`, { ms, 'ns per line': (ms * 1e6) / ((32 * MB) / lineBytes) })
}

section(
  'writing a message of three pieces to a pipe: joined into one buffer, or one by one (writev)',
)
for (const bytes of [200, 1000, 4000, 16_000, 32_000, 64_000, 256_000, 1 * MB, 10 * MB]) {
  const count = Math.max(10, Math.min(5000, Math.round((40 * MB) / bytes)))
  const joined = []
  const separate = []
  for (let round = 0; round < 5; round += 1) {
    joined.push(await writeAll(bytes, count, (out, pieces) => out.write(Buffer.concat(pieces))))
    separate.push(await writeAll(bytes, count, writeSeparately))
  }
  const ratio = median(separate) / median(joined)
  row(`${bytes} B`, { 'joined us': median(joined), 'writev us': median(separate), ratio })
}

section('starting a server that answers at once')
for (const [name, start] of [
  ['directly', startDirectly],
  ['known to the reaper before it runs', startGuarded],
]) {
  const samples = []
  for (let round = 0; round < 30; round += 1) samples.push(await start())
  row(name, { 'ms to the first message': median(samples) })
}
await guardedTree.stopAll()

function split(bytes, chunkBytes) {
  const chunk = Buffer.alloc(chunkBytes, 'x')
  let length = 0
  const splitter = new LineSplitter({
    maxLineBytes: bytes * 2,
    onLine: (line) => (length = line.length),
    onOversize() {},
  })
  for (let sent = 0; sent < bytes; sent += chunkBytes) splitter.push(chunk)
  splitter.push(Buffer.from('\n'))
  if (length < bytes) throw new Error('the line is too short')
}

function splitMany(bytes, lineBytes) {
  const text = Buffer.from(
    `${'x'.repeat(lineBytes - 1)}\n`.repeat(Math.ceil(65_536 / lineBytes) + 1),
  )
  let lines = 0
  const splitter = new LineSplitter({
    maxLineBytes: bytes,
    onLine: () => (lines += 1),
    onOversize() {},
  })
  for (let sent = 0; sent < bytes; sent += 65_536) splitter.push(text.subarray(0, 65_536))
  if (lines < bytes / lineBytes / 2) throw new Error('lines are missing')
}

function concatenate(bytes, chunkBytes) {
  const chunk = Buffer.alloc(chunkBytes, 'x')
  let held = Buffer.alloc(0)
  for (let sent = 0; sent < bytes; sent += chunkBytes) {
    held = Buffer.concat([held, chunk])
    if (held.indexOf(10) !== -1) throw new Error('there is no newline')
  }
}

function writeSeparately(out, pieces) {
  out.cork()
  for (const piece of pieces) out.write(piece)
  out.uncork()
}

/** Microseconds per message of this process's own time, through a real pipe into `cat`, one message after the other. */
async function writeAll(bytes, count, write) {
  const sink = spawn('cat', [], { stdio: ['pipe', 'ignore', 'inherit'] })
  const pieces = [Buffer.alloc(40, 'a'), Buffer.alloc(bytes - 41, 'b'), Buffer.from('\n')]
  await new Promise((resolve) => setTimeout(resolve, 20))
  const started = process.cpuUsage()
  for (let sent = 0; sent < count; sent += 1) {
    write(sink.stdin, pieces)
    if (sink.stdin.writableLength > 0) await new Promise((resolve) => sink.stdin.write('', resolve))
  }
  const { user, system } = process.cpuUsage(started)
  sink.stdin.end()
  await new Promise((resolve) => sink.on('close', resolve))
  return (user + system) / count
}

async function startGuarded() {
  return firstMessage((launch, events) => guardedTree.start(launch, {}, events))
}

async function startDirectly() {
  return firstMessage((launch, events) => startChild(launch, {}, events))
}

async function firstMessage(start) {
  const startedMs = performance.now()
  return new Promise((resolve) => {
    let ms
    start(
      { command: 'echo', args: ['hello'], env: process.env },
      {
        onMessage: () => (ms = performance.now() - startedMs),
        onOversize() {},
        onDrain() {},
        onClose: () => resolve(ms),
      },
    )
  })
}

function medianMs(rounds, work) {
  const samples = []
  for (let round = 0; round < rounds; round += 1) {
    const startedMs = performance.now()
    work()
    samples.push(performance.now() - startedMs)
  }
  return median(samples)
}

function median(samples) {
  return samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)]
}

function section(title) {
  process.stdout.write(`\n${title}\n`)
}

function row(name, values) {
  const columns = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([label, value]) => `${label} ${value.toFixed(value < 10 ? 3 : 1)}`)
  process.stdout.write(`  ${name.padEnd(36)} ${columns.join('   ')}\n`)
}
