import fc from 'fast-check'

/** A policy in the YAML that nearly all policies are written in. */
export const usual: string = `# A policy
version: 1
deny:
  - {id: no-rm, capability: shell.exec, contains: ["rm -rf", 'drop table'], message: "no, never" }
  - capability: "*.delete.production"   # all of them
  - filesystem.delete.workspace

  - id: deep
    capability: http.get
    args:
      /url: {host: [api.example.com], scheme: https}
      /paths/*:
        under: ./workspace
require_approval:
- {capability: payment.execute, amount_gt: 1000.50, approval: {timeout_seconds: 900, uses: 1}}
- capability: a.b
  environment:
    - live
    - 'prod*'
  description: Delete, then ask; see http://example.com/x#y
allow: []
risk_levels: {critical: {action: deny}, high: {action: require_approval}}
`

const unit = fc.constantFrom(
  ...['\n', '\n  ', '\n    ', ' ', '  ', ':', ': ', '- ', '-', ',', ', ', '#', ' #', '"', "'"],
  ...['[', ']', '{', '}', '&', '*', '!', '|', '>', '%', '@', '`', '?', '? ', '~', '\\', '='],
  ...['a', 'a: b', 'x: ', '1', '.', '---', '\n---\n', '...', '/', '<<: ', 'é', '\t', '\r', '$'],
)
const mutation = fc.record({
  at: fc.nat({ max: usual.length }),
  length: fc.nat({ max: 3 }),
  put: fc.array(unit, { maxLength: 3 }),
})
const mutated = fc.array(mutation, { minLength: 1, maxLength: 4 }).map((mutations) => {
  return mutations.reduce((text, { at, length, put }) => {
    return text.slice(0, at) + put.join('') + text.slice(at + length)
  }, usual)
})
const built = fc.array(unit, { maxLength: 14 }).map((units) => `a: b\n${units.join('')}`)
const value = fc.array(unit, { maxLength: 6 }).map((units) => units.join(''))
const placed = fc
  .tuple(value, fc.constantFrom('a: ?', 'a: [x, ?]', 'a: {b: ?}', 'a:\n  - ?', 'a:\n  b: ?\nc: d'))
  .map(([put, frame]) => frame.replace('?', () => put))

/** Texts that are policies but for a few characters, and pieces of YAML that belong together or not. */
export const nearlyPolicies: fc.Arbitrary<string> = fc.oneof(mutated, built, placed, placed)
