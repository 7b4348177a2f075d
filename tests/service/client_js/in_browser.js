/** The client in a browser; called with what test_client_js.py gives. */
async ({ client, url, key, code, sound }) => {
  const { Client, ProblemError } = await import(client);
  const recording = await (await fetch(sound)).blob();
  const asking = new Client(url, key ? { key } : {});
  if (code) await asking.join(code);
  const file = new File([recording], "me.flac");
  const result = await asking.assess(file, { text: "Your message has been saved." }, { detail: "word" });
  const samples = new Int16Array(16000);
  let refused = null;
  const problem = await asking.assess(new Blob(["none"]), { text: "Saved." }).catch((error) => error);
  if (problem instanceof ProblemError) refused = problem.code;
  const streamed = await asking.stream([samples.buffer], 16000, { text: "" }).next().catch((error) => error.code);
  const listed = [];
  for await (const item of asking.assessments()) listed.push(item.id);
  const me = await new Client(url, key ? { key } : {}).me();
  return { words: result.words.length, refused, streamed, listed: listed.includes(result.id), role: me.role };
}
