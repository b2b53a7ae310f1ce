const folders = /(?:^|\/)(?:__tests__|__mocks__|tests?|specs?|e2e)\//
const names =
  /(?:^|\/)(?:[^/]*[._-](?:test|tests|spec|e2e|stories)\.[cm]?[jt]sx?|test_[^/]*\.py|[^/]*_test\.py|conftest\.py)$/

/** Whether a file is code that only tests run, by its path: no model gets its tools. */
export function isTest(name: string): boolean {
  return /\.(?:[cm]?[jt]sx?|py|pyi)$/.test(name) && (folders.test(name) || names.test(name))
}
