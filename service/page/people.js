/** Coming in by a code, who is in, and what one may do with one's own data. */

import { blob, rememberKey, whenKeyIsWanted } from "./api.js";
import { byId, el, fault, saidBy, trouble, write } from "./dom.js";
import { lasting, visit } from "./remembered.js";
import { comeIn, eraseMe, joinGroup, signOut, whoIsIn } from "./session.js";
import { forgetAll } from "./store.js";
import { t } from "./texts.js";

const LINK = /^#join=(.+)$/;

/** The code in a link, which is then gone from the address. */
function codeOfLink() {
  const found = LINK.exec(location.hash);
  if (found) history.replaceState(null, "", location.pathname);
  return found ? saidBy(found[1]) : "";
}

/** One question at a time, however many calls wait for the answer: whether somebody came in. */
function asker(changed) {
  const dialog = byId("key");
  const code = byId("secret");
  const name = byId("called");
  let asked = null;

  function refuse(text, lang) {
    write(byId("refused"), text, lang);
    byId("refused").hidden = text === "";
  }

  async function enter(event) {
    if (event.submitter?.value === "cancel") return;
    event.preventDefault();
    const given = code.value.trim();
    if (!given) return;
    if (given.startsWith("nek_")) rememberKey(given);
    else {
      try {
        rememberKey(null);
        const joined = await comeIn(given, name.value.trim());
        changed();
        if (joined.code) welcome(joined);
      } catch (error) {
        refuse(fault(error), error.lang);
        return;
      }
    }
    dialog.close("save");
  }

  dialog.querySelector("form").addEventListener("submit", enter);
  return (refused, known = "") => {
    asked ??= new Promise((answer) => {
      refuse(refused ? t("key.refused") : "");
      code.value = known;
      dialog.returnValue = "";
      dialog.showModal();
      (known ? name : code).focus();
      dialog.addEventListener(
        "close",
        () => {
          asked = null;
          answer(dialog.returnValue === "save");
        },
        { once: true },
      );
    });
    return asked;
  };
}

/** Tell somebody who is new by which code he comes back; it is told this once. */
function welcome({ name, code }) {
  byId("welcome-title").textContent = t("welcome.name", { name });
  byId("own-code").textContent = code;
  byId("welcome").showModal();
}

/** Show who is in, in the dialog that else asks for a name. */
export function tellWhoIsIn() {
  const me = whoIsIn();
  byId("told").hidden = me !== null;
  byId("signed-in").hidden = me === null;
  byId("learner-title").textContent = me ? me.name : t("learner.title");
  if (!me) return;
  const groups = me.groups.map(({ name }) => name).join(", ");
  const role = t(`role.${me.role}`);
  byId("who").textContent = me.role === "operator" || !groups ? t("learner.signedIn", { role }) : t("learner.signedInGroups", { role, groups });
  byId("one-more").hidden = me.role !== "learner";
}

function failing(what) {
  return async () => {
    try {
      await what();
    } catch (error) {
      trouble(error);
    }
  };
}

async function saveAll() {
  const link = el("a", { href: URL.createObjectURL(await blob("me/export")), download: "nativeear.zip" });
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Wire it; `changed` is called when somebody comes in or goes. */
export async function startPeople(changed) {
  const ask = asker(changed);
  whenKeyIsWanted(ask);
  const dialog = byId("learner");
  const leave = async () => {
    dialog.close("cancel");
    await forgetAll();
    lasting.removeItem("nativeear-at");
    visit.clear();
    location.reload(); // nothing of his stays to be seen
  };
  byId("sign-out").addEventListener("click", failing(async () => {
    await signOut();
    leave();
  }));
  byId("save-all").addEventListener("click", failing(saveAll));
  byId("erase").addEventListener("click", failing(async () => {
    if (!window.confirm(t("learner.eraseAsk"))) return;
    const { id } = await eraseMe();
    window.alert(t("learner.erased", { id }));
    leave();
  }));
  byId("join-more").addEventListener("click", failing(async () => {
    const code = byId("more-code");
    if (!code.value.trim()) return;
    await joinGroup(code.value.trim());
    code.value = "";
    tellWhoIsIn();
    changed();
  }));
  const code = codeOfLink();
  if (!code) return;
  if (!whoIsIn()) await ask(false, code);
  else if (whoIsIn().role === "learner" && window.confirm(t("learner.joinAsk"))) await failing(() => joinGroup(code))();
}
