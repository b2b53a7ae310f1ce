import { describe, expect, test } from 'vitest'
import { lint } from '../support/lint.ts'

const doc = '/** It is planted. */\n'
const lines = (count: number): string =>
  Array.from({ length: count }, (_, index) => `  use(${String(index)})`).join('\n')
const use = 'const use = (value: number): string => value.toFixed()\n'
const longFunction = (count: number): string =>
  `${use}${doc}export function planted(): void {\n${lines(count - 2)}\n}\n`
const longFile = (count: number): string =>
  `${doc}export const planted: readonly number[] = [\n${'  1,\n'.repeat(count - 3)}]\n`

/** What the linter's own rules must refuse here: that they are switched on, and where. */
const refused: readonly (readonly [rule: string, path: string, code: string])[] = [
  ['eslint(max-lines)', 'src/json/long.ts', longFile(401)],
  ['eslint(max-lines)', 'test/json/long.test.ts', longFile(401)],
  ['eslint(max-lines-per-function)', 'src/json/function.ts', longFunction(71)],
  [
    'import(no-default-export)',
    'src/json/default.ts',
    `${doc}export default function a(): void {}\n`,
  ],
  [
    'eslint(no-console)',
    'src/cli/console.ts',
    `${doc}export const a = (): void => console.log('x')\n`,
  ],
  [
    'typescript(no-explicit-any)',
    'src/json/any.ts',
    `${doc}export const a = (b: any): boolean => b === 1\n`,
  ],
  [
    'typescript(no-non-null-assertion)',
    'src/json/bang.ts',
    `${doc}export const a = (b?: string): string => b!\n`,
  ],
  [
    'typescript(no-unsafe-type-assertion)',
    'src/json/as.ts',
    `${doc}export const a = (b: unknown): string => b as string\n`,
  ],
  [
    'typescript(no-floating-promises)',
    'src/proxy/floating.ts',
    `${doc}export const a = async (): Promise<void> => {\n  await Promise.resolve()\n}\nfunction b(): void {\n  a()\n}\nb()\n`,
  ],
  [
    'typescript(strict-boolean-expressions)',
    'src/json/truthy.ts',
    `${doc}export const a = (b?: string): number => (b ? 1 : 2)\n`,
  ],
  [
    'typescript(switch-exhaustiveness-check)',
    'src/json/switch.ts',
    `${doc}export function a(b: 'x' | 'y'): void {\n  switch (b) {\n    case 'x':\n      break\n  }\n}\n`,
  ],
  [
    'eslint(no-empty)',
    'src/json/empty.ts',
    `${doc}export function a(): void {\n  try {\n    a()\n  } catch {}\n}\n`,
  ],
  [
    'vitest(no-focused-tests)',
    'test/json/focused.test.ts',
    `import { expect, test } from 'vitest'\ntest.only('x', () => {\n  expect(1).toBe(1)\n})\n`,
  ],
  [
    'vitest(no-disabled-tests)',
    'test/json/disabled.test.ts',
    `import { expect, test } from 'vitest'\ntest.skip('x', () => {\n  expect(1).toBe(1)\n})\n`,
  ],
  [
    'vitest(valid-expect)',
    'test/json/expect.test.ts',
    `import { expect, test } from 'vitest'\ntest('x', () => {\n  expect(1)\n})\n`,
  ],
]

const allowed: readonly (readonly [rule: string, path: string, code: string])[] = [
  ['eslint(max-lines)', 'src/json/long-enough.ts', longFile(400)],
  ['eslint(max-lines-per-function)', 'src/json/function-long-enough.ts', longFunction(70)],
]

const complaints = lint(
  Object.fromEntries([...refused, ...allowed].map(([, path, code]) => [path, code])),
)
const rulesAbout = (path: string): readonly string[] | undefined =>
  complaints.get(path)?.map(({ rule }) => rule)

describe('the linter is switched on', () => {
  test.each(refused)('%s in %s', (rule, path) => {
    expect(rulesAbout(path)).toContain(rule)
  })

  test.each(allowed)('%s is content with %s', (rule, path) => {
    expect(rulesAbout(path)).not.toContain(rule)
  })
})
