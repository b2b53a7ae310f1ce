import type { Approval } from './shapes.ts'

/** Whether the browser shows notifications of this page, or has not been asked. */
export function canAnnounce(): 'yes' | 'no' | 'ask' {
  if (!('Notification' in window)) return 'no'
  if (Notification.permission === 'granted') return 'yes'
  return Notification.permission === 'default' ? 'ask' : 'no'
}

/** Tells of a question, without its arguments: a notification is read by whoever sees the screen. */
export function announce(approval: Approval): void {
  if (canAnnounce() !== 'yes') return
  const tool = approval.tool ?? approval.capability
  const notification = new Notification('A call waits for you', {
    body: `${approval.actor} wants ${tool}`,
    tag: approval.id,
  })
  notification.addEventListener('click', () => {
    window.focus()
    location.hash = '#/approvals'
    notification.close()
  })
}
