#include "results/text.h"

#include <cstdio>
#include <memory>

#include <catch2/catch.hpp>

#include "results/markdown.h"

namespace ordeal::results {

namespace {

// What bash makes of a word.
std::string read_by_bash(const std::string& word) {
  const std::string script = "printf '%s' " + word;
  FILE* const pipe = ::popen(
      ("bash -c \"$(cat <<'END_OF_SCRIPT'\n" + script + "\nEND_OF_SCRIPT\n)\"").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
  CHECK(::pclose(pipe) == 0);
  return output;
}

}  // namespace

TEST_CASE("clean text shows what cannot be printed") {
  CHECK(clean("plain é 日本") == "plain é 日本");
  CHECK(clean("a\nb\tc\x1b[31m") == "a\\nb\\tc\\x1b[31m");
  CHECK(clean("bad \xff\xc0\xaf end") == "bad \\xff\\xc0\\xaf end");
  CHECK(clean("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // a surrogate
  CHECK(clean("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // beyond Unicode
  CHECK(clean("cut \xe2\x82") == "cut \\xe2\\x82");
  CHECK(clean("x\u202egpj.exe\u200b\u0085") == "x\\u{202e}gpj.exe\\u{200b}\\u{85}");
  CHECK(clean(std::string_view("a\0b", 3)) == "a\\x00b");
}

TEST_CASE("clean text is never wider than asked") {
  CHECK(clean("12345", 5) == "12345");
  CHECK(clean("123456", 5) == "1234…");
  CHECK(clean("日本語", 5) == "日本…");
  CHECK(clean("1234\x1b", 6) == "1234…");
  CHECK(clean(std::string(1 << 20, 'x'), 80).size() == 79 + 3);
  for (std::size_t width = 1; width < 12; ++width)
    CHECK(columns(clean("ab日\n本\xff zz", width)) <= width);
}

TEST_CASE("text wraps at spaces, and long words anywhere") {
  CHECK(wrap("one two three", 7, 9) == std::vector<std::string>{"one two", "three"});
  CHECK(wrap("one two three", 8, 9) == std::vector<std::string>{"one two", "three"});
  CHECK(wrap("onetwothree", 4, 9) == std::vector<std::string>{"onet", "woth", "ree"});
  CHECK(wrap("one two three four", 7, 2) == std::vector<std::string>{"one two", "three …"});
  CHECK(wrap("", 7, 2).empty());
  CHECK(wrap("a      b", 3, 3) == std::vector<std::string>{"a", "b"});
}

TEST_CASE("ASCII has a likeness for our symbols and escapes for the rest") {
  CHECK(to_ascii("a × b · c…") == "a x b - c...");
  CHECK(to_ascii("é") == "\\u{e9}");
}

TEST_CASE("numbers and sentences") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1'000) == "1,000");
  CHECK(grouped(131'904'000) == "131,904,000");
  CHECK(count(1, "finding") == "1 finding");
  CHECK(count(2, "finding") == "2 findings");
  CHECK(share(1, 0) == "0 %");
  CHECK(share(38, 100) == "38 %");
  CHECK(sentence("so") == "so.");
  CHECK(sentence("so?") == "so?");
  CHECK(duration_text(Nanoseconds::min()) == duration_text(-std::chrono::hours(24 * 365)));
}

TEST_CASE("bash reads a quoted word back") {
  CHECK(shell_word("runs/a-b_c+d.e", false) == "runs/a-b_c+d.e");
  for (const std::string word : {"", "a b", "it's", "$HOME `id` \"x\" \\", "-rf", "~", "*", "é日",
                                 "a\nb\x1b", "\xff'\\\x01", "a;b&c|d>e", "!x", "#x", "=x"}) {
    const std::string expected = word.substr(0, 1) == "-" ? "./" + word : word;
    INFO(clean(word));
    CHECK(read_by_bash(shell_word(word, false)) == expected);
    CHECK(read_by_bash(shell_word(word, true)) == expected);
    CHECK(clean(shell_word(word, false)) == shell_word(word, false));
    CHECK(to_ascii(shell_word(word, true)) == shell_word(word, true));
  }
}

TEST_CASE("escaped text means nothing to Markdown") {
  CHECK(escaped("DEADLINE_EXCEEDED") == "DEADLINE_EXCEEDED");
  CHECK(escaped("_a_ *b* <c> [d](e)") == "\\_a\\_ \\*b\\* \\<c> \\[d](e)");
  CHECK(escaped("# no heading") == "\\# no heading");
  CHECK(escaped("- no item") == "\\- no item");
  CHECK(escaped("say `ordeal doctor`") == "say `ordeal doctor`");
  CHECK(escaped("one ` only") == "one \\` only");
  CHECK(escaped("`` two") == "\\`\\` two");
  CHECK(escaped("`a\\b`") == "\\`a\\\\b\\`");
}

TEST_CASE("tables are aligned, complete and bounded") {
  Page page(1'000, "");
  page.table({{"a", "b"}, {{"1|2", "x"}, {"3"}, {"4", "5"}}}, 2);
  CHECK(
      std::move(page).finish() ==
      "| a    | b   |\n| ---- | --- |\n| 1\\|2 | x   |\n| 3    |     |\n\n1 more in `run.json`.\n");
}

TEST_CASE("a page keeps its limit, its beginning and its end") {
  Page page(400, "tail\n");
  page.line("first");
  for (int i = 0; i < 100; ++i) page.line("a line of the middle");
  page.line("last");
  const std::string text = std::move(page).finish();
  CHECK(text.size() <= 400);
  CHECK(text.rfind("first\n", 0) == 0);
  CHECK(text.find("last") == std::string::npos);
  CHECK(text.find("The page ends here") != std::string::npos);
  CHECK(text.substr(text.size() - 5) == "tail\n");
}

TEST_CASE("a fence is longer than any within") {
  Page page(1'000, "");
  page.fenced("sh", "a ``` b");
  CHECK(std::move(page).finish() == "````sh\na ``` b\n````\n");
}

}  // namespace ordeal::results
