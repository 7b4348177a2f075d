/** Who is signed in: nobody, where the service is open or a key is used. */

import { get, post, rememberToken, remove } from "./api.js";

const PEOPLE = ["learner", "teacher", "operator"];

let me = null;
let elsewhere = [];
let reader = null;
let answered = false;

function know(told) {
  elsewhere = [...new Set([told?.second_ear, told?.language_use].filter(Boolean))];
  reader = told?.language_use ?? null;
  me = told && PEOPLE.includes(told.role) ? told : null;
  rememberToken(me?.csrf);
  return me;
}

/** Who is signed in as the service tells it: id, role, name and groups; null if nobody is. */
export const whoIsIn = () => me;

/** Addresses of the models that the service also asks, of recordings or of words. */
export const asksElsewhere = () => elsewhere;

/** Whether the service has a model read the words of free speech. */
export const readsWords = () => reader !== null;

/** Ask the service who is signed in, without asking the person anything. */
export async function recognise() {
  try {
    const told = await get("me", { quietly: true });
    answered = true;
    return know(told);
  } catch (error) {
    answered = error.status !== 0;
    return know(null); // what is asked next asks for a code, or tells the fault
  }
}

/** Whether the service has told who is in; it has not while it cannot be reached. */
export const isTold = () => answered;

/** Come in by a code; a group's goes with a name. */
export const comeIn = async (code, name) => know(await post("join", { code, name: name || null }, { quietly: true }));

/** Join one more group. */
export const joinGroup = async (code) => know(await post("me/groups", { code }));

export async function signOut() {
  await post("me/sign-out");
  know(null);
}

/** Delete all that is kept of oneself; the receipt. */
export async function eraseMe() {
  const receipt = await remove("me");
  know(null);
  return receipt;
}
