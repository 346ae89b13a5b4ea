// What goes wrong at each phone's provider: shown, switched, and put back with one tap. The server keeps all state.
"use strict";

(() => {
  const TITLES = { api: "接口 · API", pushes: "推送 · pushes", receipts: "回执 · receipts" };
  const panels = new Map();

  function option(value, text) {
    const element = make("option", "", text);
    element.value = value;
    return element;
  }

  function build(phone, box, choices) {
    const details = make("details");
    const summary = make("summary", "", "出错开关 ");
    const english = make("small", "", "What goes wrong");
    english.lang = "en";
    const state = make("span", "fault-state");
    summary.append(english, state);
    const lines = make("div", "fault-lines");
    const selects = {};
    for (const [name, positions] of Object.entries(choices)) {
      const line = make("label", "", TITLES[name]);
      const select = make("select");
      select.append(option("", "正常 · normal"), ...positions.map((one) => option(one.name, `${one.label} · ${one.english}`)));
      select.addEventListener("change", () => set(phone, values(selects)));
      selects[name] = select;
      line.append(select);
      lines.append(line);
    }
    const back = make("button", "fault-back", "恢复正常 · Back to normal");
    back.type = "button";
    back.addEventListener("click", () => set(phone, {}));
    details.append(summary, lines);
    box.replaceChildren(details, back);
    box.hidden = false;
    return { state, selects, back };
  }

  const values = (selects) => Object.fromEntries(Object.entries(selects).map(([name, select]) => [name, select.value]));
  const wording = (select) => select.selectedOptions[0].textContent.split(" · ")[0];

  function show(phone, now) {
    const { state, selects, back } = panels.get(phone);
    for (const [name, select] of Object.entries(selects)) select.value = now[name];
    const wrong = Object.values(selects).filter((select) => select.value);
    state.textContent = wrong.length ? wrong.map(wording).join("、") : "一切正常";
    state.classList.toggle("wrong", wrong.length > 0);
    back.hidden = wrong.length === 0;
  }

  async function set(phone, wanted) {
    const reply = await fetch(`/simulator/faults/${phone}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(wanted),
    }).catch(() => null);
    if (reply && reply.ok) show(phone, (await reply.json()).now);
    else load();
  }

  async function load() {
    const reply = await fetch("/simulator/faults").catch(() => null);
    if (!reply || !reply.ok) return;
    for (const [phone, board] of Object.entries(await reply.json())) {
      const box = document.querySelector(`.faults[data-phone="${phone}"]`);
      if (!box) continue;
      if (!panels.has(phone)) panels.set(phone, build(phone, box, board.choices));
      show(phone, board.now);
    }
  }

  // A fault that happens once is over when a call has met it.
  document.addEventListener("travelled", () => {
    if (document.querySelector(".fault-state.wrong")) load();
  });
  load();
})();
