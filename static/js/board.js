// Drag a card of the board to another column: the twin of its "Move to…" menu, whose button for that stage is pressed.
(() => {
  document.querySelectorAll("[data-board] [data-stage]").forEach((column) => {
    new Sortable(column, {
      group: "board",
      sort: false,
      animation: 120,
      delay: 150,
      delayOnTouchOnly: true,
      filter: "a, button, form",
      preventOnFilter: false,
      onAdd: ({ item, from, to }) => {
        const button = item.querySelector(`button[name="to"][value="${to.dataset.stage}"]`);
        if (button) return button.click();
        from.append(item);
        const text = to.closest("[data-board]").dataset.refused;
        document.dispatchEvent(new CustomEvent("toast", { detail: { text, level: "warning" } }));
      },
    });
  });
})();
