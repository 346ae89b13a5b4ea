// The SMS phone of whoever is chosen in simulator.js: the server keeps all state.
"use strict";

(() => {
  const handsets = new Map();
  const travels = [];
  let holder = "";

  const GSM = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
  const TWICE = "^{}\\[~]|€";

  // As the server counts (channels/sms/segments.py); shown while one types.
  function parts(text) {
    const letters = [...text];
    const narrow = letters.every((letter) => GSM.includes(letter) || TWICE.includes(letter));
    const widths = letters.map((letter) => (narrow ? (TWICE.includes(letter) ? 2 : 1) : letter.length));
    const [whole, many] = narrow ? [160, 153] : [70, 67];
    const units = widths.reduce((sum, width) => sum + width, 0);
    if (units <= whole) return { units, count: units ? 1 : 0, room: whole };
    let count = 1;
    let used = 0;
    for (const width of widths) {
      if (used + width > many) { count += 1; used = 0; }
      used += width;
    }
    return { units, count, room: count * many };
  }

  function line(entry) {
    const row = make("div", "row " + entry.direction);
    const body = make("div", "body");
    body.append(bubble(entry));
    if (entry.parts > 1) body.append(make("small", "via", `${entry.parts} 条 · ${entry.parts} parts`));
    row.append(body);
    return row;
  }

  function append(entry, before) {
    const screen = byId("sms-screen");
    if (!before || new Date(entry.at) - new Date(before.at) > GAP_MS) screen.append(make("p", "when", clockText(entry.at)));
    screen.append(line(entry));
    screen.scrollTop = screen.scrollHeight;
  }

  function show(openid) {
    holder = openid;
    const handset = handsets.get(openid);
    byId("sms-screen").replaceChildren();
    byId("sms-number").textContent = handset ? handset.number : "";
    for (const control of byId("sms-composer").elements) control.disabled = !handset;
    (handset ? handset.screen : []).forEach((entry, index) => append(entry, handset.screen[index - 1]));
    if (handset && !handset.screen.length) byId("sms-screen").append(make("p", "grey sms-hint", "还没有短信。No texts yet."));
    travels.forEach(travelled);
  }

  // Numbers of the two wires are apart, so that the list beside the phones can hold both.
  function travel(transfer) {
    const named = { ...transfer, number: "sms-" + transfer.number, name: "短信 " + transfer.name };
    if (travels.some((known) => known.number === named.number)) return;
    travels.push(named);
    if (travels.length > 200) travels.shift();
    travelled(named);
  }

  function arrived(openid, entry) {
    const handset = handsets.get(openid);
    if (!handset || handset.screen.some((known) => known.number === entry.number)) return;
    handset.screen.push(entry);
    if (openid !== holder) return;
    document.querySelector(".sms-hint")?.remove();
    append(entry, handset.screen[handset.screen.length - 2]);
  }

  async function load() {
    const state = await (await fetch("/simulator/sms/state")).json();
    for (const handset of state.phones) handsets.set(handset.openid, handset);
    state.transfers.forEach(travel);
    show(current);
  }

  async function send(text) {
    const reply = await fetch("/simulator/sms/send", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ openid: holder, text }),
    }).catch(() => null);
    if (!reply || !reply.ok) byId("sms-screen").append(make("p", "grey", "没发出去，请再试。Not sent, try again."));
  }

  function count() {
    const { units, count: number, room } = parts(byId("sms-text").value);
    byId("sms-count").textContent = units ? `${units}/${room} · ${number} 条` : "";
  }

  function submit() {
    const text = byId("sms-text").value.trim();
    if (!text || !handsets.has(holder)) return;
    byId("sms-text").value = "";
    count();
    send(text);
  }

  byId("sms-composer").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  byId("sms-text").addEventListener("input", count);
  byId("sms-text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
  });
  document.addEventListener("phone-chosen", (event) => show(event.detail));

  const stream = new EventSource("/simulator/sms/events");
  stream.onopen = load;
  stream.onmessage = (message) => {
    const change = JSON.parse(message.data);
    if (change.entry) arrived(change.openid, change.entry);
    if (change.transfer) travel(change.transfer);
  };
})();
