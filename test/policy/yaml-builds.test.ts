import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as node from 'yaml'
import { root } from '../support/root.ts'
import { nearlyPolicies, usual } from './yaml-mutations.ts'

/** `CAPFENCE_FUZZ_RUNS=200000` looks longer. */
const numRuns = Number(process.env['CAPFENCE_FUZZ_RUNS'] ?? 250)

// The command is bundled with the build for browsers, and the library reads with the other one.
const bundled = (await import(
  pathToFileURL(join(root, 'node_modules/yaml/browser/dist/index.js')).href
)) as typeof node

/** Everything that a build makes of a text: its tokens, its complaints and its documents. */
function reading(yaml: typeof node, text: string): unknown {
  const tokens = [...new yaml.Parser().parse(text)]
  const written = JSON.stringify(tokens)
  const documents = [...new yaml.Composer().compose(tokens, true, text.length)]
  return { written, documents: documents.map((document) => readingOf(document)) }
}

function readingOf({ errors, warnings, contents, range }: node.Document.Parsed): unknown {
  const complaints = [...errors, ...warnings].map(({ code, pos, message }) => [code, pos, message])
  return { complaints, contents: JSON.stringify(contents), range }
}

test('the two builds are two, and the sample is read', () => {
  expect(bundled.Parser).not.toBe(node.Parser)
  expect(JSON.stringify(reading(bundled, usual))).toContain('"complaints":[]')
})

test('both builds of the package read every text alike', () => {
  fc.assert(
    fc.property(nearlyPolicies, (text) => {
      expect(reading(bundled, text)).toEqual(reading(node, text))
    }),
    { numRuns: numRuns * 4 },
  )
})
