"""What the examples of the pages say, sentence by sentence, and how each sentence is measured."""
