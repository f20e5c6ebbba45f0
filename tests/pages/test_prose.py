"""Text of pages as marketers type it."""

from pages.templatetags.prose import prose


def test_paragraphs_and_lists() -> None:
    text = "Inside:\n- Layouts\r\n* What to measure\n\nBy our planners,\nwith <b>care</b> & time."
    assert prose(text) == (
        "<p>Inside:</p><ul><li>Layouts</li><li>What to measure</li></ul>"
        "<p>By our planners,<br>with &lt;b&gt;care&lt;/b&gt; &amp; time.</p>"
    )
    assert prose("") == ""
