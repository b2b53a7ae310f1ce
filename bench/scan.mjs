// npm run bench -- scan: how long `capfence scan` takes for a project of ten thousand files, as a user starts it.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const files = 10_000

function pythonBody(index) {
  const lines = ['from .part import helper']
  for (let at = 0; at < 25; at += 1) {
    lines.push(
      `def step${at}(name: str, count: int = ${index}) -> str:`,
      '    """Joins what it is given, without what is empty."""',
      '    found = [text.strip() for text in (name, str(count)) if text.strip() != ""]',
      '    if not found:',
      '        raise ValueError(f"nothing at {name}")',
      '    return ", ".join(found) + helper(count, {"name": name, "count": count})',
    )
  }
  return lines.join('\n')
}

function pythonTool(index) {
  const tool = `@tool\ndef run(name: str) -> str:\n    return step0(name, ${index})\n`
  return `from langchain_core.tools import tool\n${pythonBody(index)}\n${tool}`
}

const languages = {
  ts: { plain: body, withTool: toolFile },
  py: { plain: pythonBody, withTool: pythonTool },
}

/** Code as projects have it, about 6 KB: functions, types and texts, and in some files tools for a model. */
function body(index) {
  const lines = [`import { helper${index} } from './part${index}'`]
  for (let at = 0; at < 20; at += 1) {
    lines.push(
      `export function step${at}(input: { readonly name: string; readonly count: number }): string {`,
      `  const found = [input.name, String(input.count)].map((text) => text.trim()).filter((text) => text !== '')`,
      `  if (found.length === 0) throw new Error(\`nothing at \${input.name}, ${index}\`)`,
      `  return found.join(', ') + helper${index}(input.count)`,
      '}',
    )
  }
  return lines.join('\n')
}

function toolFile(index) {
  return [
    `import { tool } from 'ai'`,
    body(index),
    `export const run = tool({ description: 'runs', execute: async () => step0({ name: 'a', count: ${index} }) })`,
  ].join('\n')
}

/**
 * Times a scan of a folder in which `share` of the files make a tool.
 *
 * @param {'ts' | 'py'} language
 * @param {number} share from 0 to 1
 */
function timed(language, share) {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-bench-scan-'))
  try {
    let bytes = 0
    for (let at = 0; at < files; at += 1) {
      const inner = join(folder, `part-${String(at % 100)}`)
      if (at < 100) mkdirSync(inner)
      const hasTool = Math.floor(at * share) !== Math.floor((at + 1) * share)
      const { plain, withTool } = languages[language]
      const text = hasTool ? withTool(at) : plain(at)
      bytes += text.length
      writeFileSync(join(inner, `file_${String(at)}.${language}`), text)
    }
    const started = performance.now()
    const { stdout } = spawnSync(process.execPath, [main, 'scan', folder, '--json'], {
      encoding: 'utf8',
      maxBuffer: 1_073_741_824,
    })
    const ms = performance.now() - started
    const { findings } = JSON.parse(stdout)
    const expected = Math.floor(files * share)
    if (findings.length !== expected)
      throw new Error(`${String(findings.length)} findings instead of ${String(expected)}`)
    return { language, share, files, megabytes: bytes / 1_048_576, findings: findings.length, ms }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Scans projects in which few, many and all of the files have to do with a framework. */
export function scanBench() {
  const shares = [0.02, 0.2, 1]
  return { rows: ['ts', 'py'].flatMap((one) => shares.map((share) => timed(one, share))) }
}
