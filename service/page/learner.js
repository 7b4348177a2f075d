/** Who practises here. It stays in this browser until a recording is sent. */

const FIELDS = ["name", "group", "l1", "keep"];
const key = (field) => `nativeear-${field}`;

/** Name, group, first language and whether the service may keep recordings, as text. */
export function learner() {
  return Object.fromEntries(FIELDS.map((field) => [field, localStorage.getItem(key(field)) ?? ""]));
}

export function rememberLearner(values) {
  for (const field of FIELDS) {
    const value = (values[field] ?? "").trim();
    if (value) localStorage.setItem(key(field), value);
    else localStorage.removeItem(key(field));
  }
}
