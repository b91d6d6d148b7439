#!/usr/bin/env perl
# An agent in Perl: it reads its task as data, and signals its end by a rename, with the attempt's nonce.
use strict;
use warnings;
use JSON::PP qw(decode_json encode_json);
use POSIX qw(strftime);

my $signals = $ENV{AGENTRELAY_SIGNAL_DIR};

sub put {
    my ($name, $text) = @_;
    open my $file, '>', "$signals/.$name.new" or die "$name: $!";
    print {$file} $text;
    close $file or die "$name: $!";
    rename "$signals/.$name.new", "$signals/$name" or die "$name: $!";
}

open my $file, '<', "$signals/manifest.json" or die "manifest.json: $!";
my $manifest = decode_json(join '', <$file>);
die "a manifest of another version\n" if $manifest->{schema_version} != 1;

my $task = $manifest->{task};
open my $work, '>:encoding(UTF-8)', 'task.txt' or die "task.txt: $!";
print {$work} "$task->{id} ($task->{role}): $task->{description}\n";
close $work or die "task.txt: $!";

my $now = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime);
put('.done', "$now\n\nnonce=$manifest->{nonce}\n");
