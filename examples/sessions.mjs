const sessions = new Map();

export function operation(i) {
  sessions.set(`session ${i}`, { user: i, seen: new Array(256).fill(i) });
}
