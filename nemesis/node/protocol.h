#pragma once
// What Ordeal and the guard on a node say to each other: one line a message, over the guard's stdin
// and stdout.
//
//   Ordeal                 guard
//                          ready                   it holds the node's lock and listens
//                          busy PID                another guard holds the node; it ends
//   beat                                           I am alive
//   hold ID COMMAND        held ID                 run COMMAND when I am gone; replaces what ID
//   held do ID COMMAND          done ID                 COMMAND has run with exit status 0
//                          failed ID STATUS TEXT   it has not (TEXT: its last line)
//   undo ID                done ID                 what ID held has run and is forgotten
//                          failed ID STATUS TEXT   it failed, and is still held
//   quit                                           undo everything, newest first, and end
//
// One thing is done after the other, so that no undo can overtake what it undoes, and nothing is
// done for which no undo is held. An ID has no blank. COMMAND and TEXT are escaped, as they may
// hold newlines. End of file, and silence for longer than the guard's time-out, mean the same as
// quit.

#include <string>
#include <string_view>

namespace ordeal::nemesis {

// One line, whatever the text: backslash and newline become two characters.
[[nodiscard]] inline std::string escape_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (c == '\n') {
      line += "\\n";
    } else if (c == '\\') {
      line += "\\\\";
    } else {
      line += c;
    }
  }
  return line;
}

[[nodiscard]] inline std::string unescape_line(std::string_view line) {
  std::string text;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) {
      ++i;
      text += line[i] == 'n' ? '\n' : line[i];
    } else {
      text += line[i];
    }
  }
  return text;
}

// The text before the first blank; what is left of `line` is what follows the blank.
[[nodiscard]] inline std::string_view take_word(std::string_view& line) {
  const std::size_t end = line.find(' ');
  const std::string_view word = line.substr(0, end);
  line = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
  return word;
}

}  // namespace ordeal::nemesis
