/** Who practises here: who is signed in, or a name that stays in this browser until it is sent. */

import { lasting } from "./remembered.js";
import { whoIsIn } from "./session.js";

const FIELDS = ["name", "group", "l1", "keep", "here"];
const key = (field) => `nativeear-${field}`;

/** Id, name, group, first language, and as text: `keep`, the service may keep recordings; `here`, they go nowhere else.
 *
 * Of somebody who is signed in the service knows id and group by itself.
 */
export function learner() {
  const told = Object.fromEntries(FIELDS.map((field) => [field, lasting.getItem(key(field)) ?? ""]));
  const me = whoIsIn();
  return me ? { ...told, id: me.id, name: me.name, group: "" } : { ...told, id: told.name };
}

export function rememberLearner(values) {
  const fields = whoIsIn() ? ["l1", "keep", "here"] : FIELDS;
  for (const field of fields) {
    const value = (values[field] ?? "").trim();
    if (value) lasting.setItem(key(field), value);
    else lasting.removeItem(key(field));
  }
}
