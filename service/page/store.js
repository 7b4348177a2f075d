/** What this browser keeps of its own: the last takes with their results, and takes that wait. */

const NAME = "nativeear";
const STORES = {
  takes: { keyPath: "id" }, // { id, at, text, file, assessment }
  waiting: { keyPath: "at" }, // { at, text, file, fields, once }
  heard: { keyPath: "id" }, // { id, at, who, text, assessment } of what was heard on this device
  lasts: { keyPath: "said" }, // { said, overall, words } of the last take of a text
};
const MOST_TAKES = 10;
const MOST_HEARD = 200;

let opened = null;

function open() {
  opened ??= new Promise((done, fail) => {
    const asked = indexedDB.open(NAME, 2);
    asked.onupgradeneeded = () => {
      const known = asked.result.objectStoreNames;
      for (const [store, options] of Object.entries(STORES)) if (!known.contains(store)) asked.result.createObjectStore(store, options);
    };
    asked.onblocked = () => fail(new Error("an older page is open")); // nothing is kept meanwhile
    asked.onsuccess = () => {
      asked.result.onversionchange = () => asked.result.close();
      done(asked.result);
    };
    asked.onerror = () => fail(asked.error);
  });
  return opened;
}

/** One request of a store; null where the browser keeps nothing, as in some private windows. */
async function ask(store, mode, request) {
  try {
    const database = await open();
    return await new Promise((done, fail) => {
      const asked = request(database.transaction(store, mode).objectStore(store));
      asked.onsuccess = () => done(asked.result ?? null);
      asked.onerror = () => fail(asked.error);
    });
  } catch {
    return null;
  }
}

const all = async (store) => (await ask(store, "readonly", (kept) => kept.getAll())) ?? [];

export const takeOf = (id) => ask("takes", "readonly", (kept) => kept.get(id));

/** Keep something by its id; the oldest goes where there are too many. */
async function keep(store, item, most) {
  await ask(store, "readwrite", (kept) => kept.put(item));
  const oldest = (await all(store)).sort((one, other) => other.at - one.at).slice(most);
  for (const { id } of oldest) await ask(store, "readwrite", (kept) => kept.delete(id));
}

export const keepTake = (take) => keep("takes", take, MOST_TAKES);

export const keepHeard = (heard) => keep("heard", heard, MOST_HEARD);
export const heardOf = (id) => ask("heard", "readonly", (kept) => kept.get(id));

/** What was heard here of a learner, the oldest first. */
export const heardHere = async (who) => (await all("heard")).filter((heard) => heard.who === who).sort((one, other) => one.at - other.at);

/** Forget a result that was heard here, and its recording. */
export async function forgetHeard(id) {
  for (const store of ["heard", "takes"]) await ask(store, "readwrite", (kept) => kept.delete(id));
}

export const lastOf = (said) => ask("lasts", "readonly", (kept) => kept.get(said));
export const keepLast = (last) => ask("lasts", "readwrite", (kept) => kept.put(last));

export const waiting = () => all("waiting");
export const keepWaiting = (take) => ask("waiting", "readwrite", (kept) => kept.put(take));
export const endWaiting = (at) => ask("waiting", "readwrite", (kept) => kept.delete(at));

/** Forget everything: of somebody who signs out, or deletes his data. */
export async function forgetAll() {
  for (const store of Object.keys(STORES)) await ask(store, "readwrite", (kept) => kept.clear());
  for (const name of await globalThis.caches?.keys() ?? []) await caches.delete(name);
}
