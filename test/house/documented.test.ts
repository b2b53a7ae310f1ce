import { describe, expect, test } from 'vitest'
import { lint } from '../support/lint.ts'

const refused: readonly (readonly [name: string, code: string])[] = [
  ['a function', 'export function a(): void {}'],
  ['a constant', 'export const a = 1'],
  ['a type', 'export type A = string'],
  ['an interface', 'export interface A { readonly b: string }'],
  ['a class', 'export class A {}'],
  ['a line comment above', '// It is a.\nexport const a = 1'],
  ['an ordinary block above', '/* It is a. */\nexport const a = 1'],
  ['an empty doc comment', '/** */\nexport const a = 1'],
  ['a doc comment of stars', '/**\n * **\n */\nexport const a = 1'],
  ['a doc comment of one word', '/** Constant. */\nexport const a = 1'],
  ['a doc comment of tags alone', '/** @returns nothing at all */\nexport function a(): void {}'],
  ['a doc comment behind it', 'export const a = 1 /** It is a. */'],
  ['a doc comment of something else', '/** It is b. */\nconst b = 1\nexport const a = b'],
  ['a doc comment with a line comment between', '/** It is a. */\n// really\nexport const a = 1'],
  ['a list of exports', 'const a = 1\nexport { a }'],
  ['a list of exports under another name', 'const a = 1\nexport { a as b }'],
  ['the second of two', '/** It is a. */\nexport const a = 1\nexport const b = 2'],
  ['the first of two', 'export const b = 2\n/** It is a. */\nexport const a = 1'],
]

const allowed: readonly (readonly [name: string, code: string])[] = [
  ['a doc comment', '/** It is a. */\nexport const a = 1'],
  [
    'a doc comment of many lines',
    '/**\n * It is a.\n *\n * @returns nothing\n */\nexport function a(): void {}',
  ],
  ['a doc comment where a listed export is declared', '/** It is a. */\nconst a = 1\nexport { a }'],
  [
    'one doc comment for all overloads',
    '/** It is a. */\nexport function a(b: string): void\nexport function a(b: number): void\nexport function a(b: unknown): void { String(b) }',
  ],
  ['what another file exports', `export { a } from './other.ts'`],
  ['everything that another file exports', `export * from './other.ts'`],
  ['what is not exported', 'const a = 1\na.toFixed()'],
]

const path = (kind: string, index: number): string => `src/json/${kind}-${String(index)}.ts`
const complaints = lint(
  Object.fromEntries([
    ...refused.map(([, code], index) => [path('refused', index), `${code}\n`] as const),
    ...allowed.map(([, code], index) => [path('allowed', index), `${code}\n`] as const),
    ['test/json/free.test.ts', 'export const a = 1\n'],
  ]),
)
const about = (file: string): readonly string[] | undefined =>
  complaints
    .get(file)
    ?.filter(({ rule }) => rule === 'capfence(documented-export)')
    .map(({ message }) => message)

describe('an export needs a doc comment', () => {
  test.each(refused.map(([name], index) => ({ name, index })))('refused is $name', ({ index }) => {
    expect(about(path('refused', index))).toEqual([expect.stringMatching(/without a doc comment/)])
  })

  test.each(allowed.map(([name], index) => ({ name, index })))('allowed is $name', ({ index }) => {
    expect(about(path('allowed', index))).toEqual([])
  })

  test('in src, not in tests', () => {
    expect(about('test/json/free.test.ts')).toEqual([])
  })
})
