(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const last = data.minutes.length - 1;
  const charts = ["price", "equity", "drawdown"].map((name) => {
    const figure = document.getElementById(name);
    const readout = figure.querySelector(".readout");
    return {
      name, figure, readout,
      drawing: figure.querySelector(".plot > svg"),
      cursor: figure.querySelector(".cursor"),
      resting: readout.textContent,
    };
  });

  const two = (number) => String(number).padStart(2, "0");
  const moment = (minutes) => {
    const at = new Date(minutes * 60000);
    return `${at.getUTCDate()} ${months[at.getUTCMonth()]} ${at.getUTCFullYear()} ` +
      `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  };
  const value = (name, column) => {
    const digits = data.digits[name];
    const text = (data[name][column] / 10 ** digits).toLocaleString("en-US", {
      minimumFractionDigits: digits, maximumFractionDigits: digits,
    });
    return text.replace("-", "\u2212") + data.units[name];
  };

  const show = (column) => {
    const x = `${last ? (100 * column) / last : 0}%`;
    for (const chart of charts) {
      chart.cursor.setAttribute("x1", x);
      chart.cursor.setAttribute("x2", x);
      chart.figure.classList.add("pointed");
      chart.readout.textContent = `${moment(data.minutes[column])} \u00b7 ${value(chart.name, column)}`;
    }
  };
  const rest = () => {
    for (const chart of charts) {
      chart.figure.classList.remove("pointed");
      chart.readout.textContent = chart.resting;
    }
  };

  for (const { drawing } of charts) {
    const plot = drawing.parentElement;
    plot.addEventListener("pointermove", (event) => {
      const box = drawing.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      show(Math.round(Math.min(1, Math.max(0, share)) * last));
    });
    plot.addEventListener("pointerleave", rest);
  }
})();
